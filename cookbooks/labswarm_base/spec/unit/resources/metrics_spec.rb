require_relative '../../spec_helper'

describe 'labswarm_metrics' do
  let(:run) do
    declaring('labswarm_metrics') do
      labswarm_metrics('/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json') do
        dimensions 'AutoScalingGroupName' => 'labswarm-db-workers'
      end
    end
  end
  let(:config) { run.file('/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json') }

  it "reports the memory in use in the one dimension that the group's policy tracks" do
    settings = JSON.parse(config.content)
    expect(settings['agent']).to include('omit_hostname' => true, 'run_as_user' => 'cwagent')
    expect(settings['metrics']['namespace']).to eq('CWAgent')
    expect(settings['metrics']).not_to have_key('append_dimensions')
    expect(settings['metrics']['metrics_collected']['mem'])
      .to eq('measurement' => ['mem_used_percent'], 'append_dimensions' => { 'AutoScalingGroupName' => 'labswarm-db-workers' })
  end

  it 'restarts the agent when that changes' do
    expect(config).to notify('service[amazon-cloudwatch-agent]').to(:restart).immediately
  end
end
