require_relative '../../spec_helper'

describe 'labswarm_homes' do
  let(:run) do
    declaring('labswarm_homes') do
      labswarm_homes '/homes' do
        file_system_id 'fs-0123456789abcdef0'
        access_point_id 'fsap-0123456789abcdef0'
      end
    end
  end

  it "mounts the access point with TLS and the instance's role, before Docker" do
    answers
    expect(run).to create_systemd_unit('homes.mount')
    expect(run).to enable_systemd_unit('homes.mount')
    expect(run).to start_systemd_unit('homes.mount')
    unit = run.systemd_unit('homes.mount').content
    expect(unit['Mount']).to include(
      'What' => 'fs-0123456789abcdef0:/', 'Where' => '/homes', 'Type' => 'efs',
      'Options' => '_netdev,noresvport,tls,iam,accesspoint=fsap-0123456789abcdef0'
    )
    expect(unit['Unit']['Before']).to eq('docker.service')
  end

  it 'lets nothing be written below the mount' do
    answers [%w(lsattr -d /homes), "--------------e------- /homes\n"]
    expect(command(run, 'chattr +i /homes')).to eq('chattr +i /homes')
  end

  it 'does that once' do
    answers [%w(lsattr -d /homes), "----i---------e------- /homes\n"]
    expect(run).not_to run_execute('chattr +i /homes')
  end

  it 'does not touch the homes themselves' do
    answers [%w(mountpoint --quiet /homes), '']
    expect(run).not_to run_execute('chattr +i /homes')
  end
end
