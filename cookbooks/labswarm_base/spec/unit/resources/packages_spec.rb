require_relative '../../spec_helper'

describe 'labswarm_packages' do
  let(:run) { declaring('labswarm_packages') { labswarm_packages('tools') { packages %w(jq chrony) } } }
  let(:query) { %w(dpkg-query -W -f ${db:Status-Status}) }

  it 'asks for package lists when one is missing' do
    answers [query + ['jq'], 'installed'], [query + ['chrony'], '', 1]
    expect(run).to update_apt_update('package lists')
    expect(run).to install_package(%w(jq chrony)).with(options: ['--no-install-recommends'])
  end

  it 'asks for none when all are there' do
    answers [query + ['jq'], 'installed'], [query + ['chrony'], 'installed']
    expect(run).not_to update_apt_update('package lists')
  end

  it 'takes its name for a package' do
    answers
    run = declaring('labswarm_packages') { labswarm_packages('caddy') }
    expect(run).to install_package(['caddy'])
  end
end
