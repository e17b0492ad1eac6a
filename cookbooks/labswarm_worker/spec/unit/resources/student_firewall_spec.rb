require_relative '../../spec_helper'

describe 'labswarm_student_firewall' do
  let(:run) do
    declaring('labswarm_student_firewall') do
      labswarm_student_firewall '/etc/labswarm' do
        unreachable %w(10.0.0.0/8 169.254.0.0/16)
        reachable %w(10.9.0.0/24)
        dns_server '169.254.169.253'
      end
    end
  end
  let(:unit) { run.systemd_unit('labswarm-student-firewall.service').content }

  it 'has these rules, the exceptions first' do
    expect(run.file('/etc/labswarm/student-firewall.v4').content).to eq(<<~RULES)
      *filter
      :DOCKER-USER - [0:0]
      :LABSWARM-HOST - [0:0]
      -A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN
      -A DOCKER-USER -d 169.254.169.253 -p udp --dport 53 -j RETURN
      -A DOCKER-USER -d 169.254.169.253 -p tcp --dport 53 -j RETURN
      -A DOCKER-USER -d 10.9.0.0/24 -j RETURN
      -A DOCKER-USER -d 10.0.0.0/8 -j REJECT
      -A DOCKER-USER -d 169.254.0.0/16 -j REJECT
      -A LABSWARM-HOST -i docker+ -m conntrack --ctstate NEW -j REJECT
      COMMIT
    RULES
    expect(run.file('/etc/labswarm/student-firewall.v6').content).to eq(<<~RULES)
      *filter
      :LABSWARM-HOST - [0:0]
      -A LABSWARM-HOST -i docker+ -m conntrack --ctstate NEW -j REJECT
      COMMIT
    RULES
  end

  it 'applies them before Docker, which does not start without them' do
    expect(unit['Unit']['Before']).to eq('docker.service')
    expect(unit['Install']['RequiredBy']).to eq('docker.service')
    expect(unit['Service']['ExecStart']).to eq([
                                                 '/usr/sbin/iptables-restore --wait --noflush /etc/labswarm/student-firewall.v4',
                                                 '/usr/sbin/ip6tables-restore --wait --noflush /etc/labswarm/student-firewall.v6',
                                                 "/bin/sh -c 'iptables -w -C INPUT -j LABSWARM-HOST 2>/dev/null || iptables -w -I INPUT -j LABSWARM-HOST'",
                                                 "/bin/sh -c 'ip6tables -w -C INPUT -j LABSWARM-HOST 2>/dev/null || ip6tables -w -I INPUT -j LABSWARM-HOST'",
                                                 "/bin/sh -c 'ip6tables -w -C FORWARD -j LABSWARM-HOST 2>/dev/null || ip6tables -w -I FORWARD -j LABSWARM-HOST'",
                                               ])
    expect(run).to create_systemd_unit('labswarm-student-firewall.service')
    expect(run).to enable_systemd_unit('labswarm-student-firewall.service')
    expect(run).to start_systemd_unit('labswarm-student-firewall.service')
  end

  it 'loads changed rules without a restart, which would end the students servers' do
    expect(unit['Service']['ExecReload']).to eq(unit['Service']['ExecStart'])
    %w(v4 v6).each do |version|
      file = run.file("/etc/labswarm/student-firewall.#{version}")
      expect(file).to notify('service[labswarm-student-firewall.service]').to(:reload)
      expect(file).not_to notify('service[labswarm-student-firewall.service]').to(:restart)
    end
  end
end
