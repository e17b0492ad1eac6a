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

  # The rules that it makes of these: tests/infrastructure/test_lab_worker.py.
  it 'has the program that loads the rules, and its settings' do
    expect(run).to create_cookbook_file('/usr/local/sbin/labswarm-student-firewall').with(cookbook: 'labswarm_worker', mode: '0755')
    expect(run).to create_file('/etc/labswarm/student-firewall.conf').with(mode: '0644', content: <<~CONF)
      unreachable='10.0.0.0/8 169.254.0.0/16'
      reachable='10.9.0.0/24'
      dns_server='169.254.169.253'
    CONF
  end

  it 'refuses to be one that refuses nothing' do
    expect do
      declaring('labswarm_student_firewall') do
        labswarm_student_firewall '/etc/labswarm' do
          unreachable []
          dns_server '169.254.169.253'
        end
      end
    end.to raise_error(Chef::Exceptions::ValidationFailed, /has to name a block/)
  end

  it 'applies them before Docker, which does not start without them' do
    expect(unit['Unit']['Before']).to eq('docker.service')
    expect(unit['Install']['RequiredBy']).to eq('docker.service')
    expect(unit['Service']['ExecStart']).to eq('/usr/local/sbin/labswarm-student-firewall /etc/labswarm/student-firewall.conf')
    expect(run).to create_systemd_unit('labswarm-student-firewall.service')
    expect(run).to enable_systemd_unit('labswarm-student-firewall.service')
    expect(run).to start_systemd_unit('labswarm-student-firewall.service')
  end

  it 'loads changed rules without a restart, which would end the students servers' do
    expect(unit['Service']['ExecReload']).to eq(unit['Service']['ExecStart'])
    [
      run.cookbook_file('/usr/local/sbin/labswarm-student-firewall'),
      run.file('/etc/labswarm/student-firewall.conf'),
    ].each do |file|
      expect(file).to notify('service[labswarm-student-firewall.service]').to(:reload)
      expect(file).not_to notify('service[labswarm-student-firewall.service]').to(:restart)
    end
  end
end
