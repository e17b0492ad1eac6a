require_relative '../../spec_helper'
require 'tmpdir'

describe 'labswarm_drop_ins' do
  let(:folder) { Dir.mktmpdir }
  let(:run) do
    where = folder
    declaring('labswarm_drop_ins') do
      labswarm_drop_ins where do
        files 'login.py' => "c.x = 1\n"
      end
    end
  end

  before { File.write(File.join(folder, 'former.py'), "c.x = 0\n") }
  after { FileUtils.rm_rf(folder) }

  it 'writes the files for root alone' do
    expect(run).to create_directory(folder).with(mode: '0700')
    expect(run).to create_file(File.join(folder, 'login.py')).with(content: "c.x = 1\n", mode: '0600', sensitive: true)
  end

  it 'removes a file that is not named any more' do
    expect(run).to delete_file(File.join(folder, 'former.py'))
  end
end
