require_relative '../../spec_helper'

describe 'labswarm_data_volume' do
  let(:device) { '/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0' }
  let(:run) { declaring('labswarm_data_volume') { labswarm_data_volume('/srv/labswarm') { volume_id 'vol-0123456789abcdef0' } } }
  let(:format) { 'format vol-0123456789abcdef0' }

  it 'formats a volume on which nothing is at all' do
    answers [['blkid', '-p', device], '', 2]
    expect(command(run, format)).to eq("mkfs.ext4 -q -L labswarm #{device}")
  end

  # 0: a file system; 8: more than one. 1 is no answer that blkid -p gives.
  [0, 1, 8].each do |code|
    it "keeps what is on it when blkid ends with #{code}" do
      answers [['blkid', '-p', device], '', code]
      expect(run).not_to run_execute(format)
    end
  end

  it 'waits for it: Terraform attaches it when the instance runs' do
    answers
    expect(run).to run_ruby_block('wait for vol-0123456789abcdef0')
  end

  it "mounts it, and the Swarm's state on it, before Docker" do
    answers
    expect(run.systemd_unit('srv-labswarm.mount').content['Mount'])
      .to eq('What' => device, 'Where' => '/srv/labswarm', 'Type' => 'ext4', 'Options' => 'noatime')
    swarm = run.systemd_unit('var-lib-docker-swarm.mount')
    expect(swarm.content['Mount'])
      .to eq('What' => '/srv/labswarm/swarm', 'Where' => '/var/lib/docker/swarm', 'Type' => 'none', 'Options' => 'bind')
    expect(swarm.content['Unit']).to include('Requires' => 'srv-labswarm.mount', 'Before' => 'docker.service')
    %w(srv-labswarm.mount var-lib-docker-swarm.mount).each do |unit|
      expect(run.systemd_unit(unit).content['Install']['RequiredBy']).to eq('docker.service')
      %i(create enable start).each { |action| expect(run.systemd_unit(unit).performed_actions).to include(action) }
    end
  end

  it "stops Docker before it puts the Swarm's state in its place" do
    answers
    expect(run).to stop_service('docker')
  end

  it 'does not stop it again' do
    answers [%w(mountpoint --quiet /var/lib/docker/swarm), '']
    expect(run).not_to stop_service('docker')
  end
end
