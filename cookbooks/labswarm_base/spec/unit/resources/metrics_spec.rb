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

  it 'sends no logs unless it is asked to' do
    expect(JSON.parse(config.content)).not_to have_key('logs')
  end

  it 'sends the named logs to their groups' do
    run = declaring('labswarm_metrics') do
      labswarm_metrics('/etc/agent.json') do
        dimensions 'InstanceId' => 'i-1'
        logs 'hub' => '/labswarm/db/hub'
      end
    end
    expect(JSON.parse(run.file('/etc/agent.json').content)['logs']['logs_collected']['files']['collect_list'])
      .to eq([{ 'file_path' => '/var/log/labswarm/hub.log', 'log_group_name' => '/labswarm/db/hub', 'log_stream_name' => 'hub' }])
  end

  it 'restarts the agent when that changes' do
    expect(config).to notify('service[amazon-cloudwatch-agent]').to(:restart).immediately
  end
end
