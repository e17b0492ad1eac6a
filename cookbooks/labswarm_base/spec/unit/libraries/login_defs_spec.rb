require_relative '../../spec_helper'
require_relative '../../../libraries/login_defs'
require_relative '../../../libraries/systemd'

describe Labswarm::LoginDefs do
  it 'sets what is there where it stands, and adds what is not' do
    text = "# UMASK is described\nUMASK\t\t022\nUID_MIN 1000\n"
    written = described_class.with(text, 'UMASK' => '027', 'LOGIN_RETRIES' => '5')
    expect(written).to eq("# UMASK is described\nUMASK\t\t027\nUID_MIN 1000\nLOGIN_RETRIES\t\t5\n")
  end

  it 'changes nothing the second time' do
    once = described_class.with("UMASK 022\n", 'UMASK' => '027', 'PASS_MAX_DAYS' => '60')
    expect(described_class.with(once, 'UMASK' => '027', 'PASS_MAX_DAYS' => '60')).to eq(once)
  end
end

describe Labswarm::Systemd do
  it 'names the unit of a mount as systemd-escape does' do
    expect(described_class.mount_unit('/srv/lab-swarm')).to eq('srv-lab\x2dswarm.mount')
  end
end
