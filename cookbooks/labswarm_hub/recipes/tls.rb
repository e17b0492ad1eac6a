# Caddy speaks HTTPS to the students and HTTP to the hub on this machine.

hub = Labswarm::Ground.read(node['labswarm_base']['ground'])['hub']
data = ::File.join(node['labswarm_hub']['data'], 'caddy')
# Not on a disk: the department's key is in Secrets Manager.
run = '/run/labswarm-certificate'

labswarm_packages 'caddy'

directory data do
  owner 'caddy'
  group 'caddy'
  mode '0700'
end

template '/etc/caddy/Caddyfile' do
  source 'Caddyfile.erb'
  variables domain: hub['domain'], acme_email: hub['acme_email'], data: data,
            certificate: hub['certificate_secret'] && "#{run}/certificate.pem", key: hub['certificate_secret'] && "#{run}/key.pem"
  mode '0644'
  notifies :reload_or_restart, 'systemd_unit[caddy.service]'
end

if hub['certificate_secret']
  systemd_unit 'labswarm-certificate.service' do
    content(
      'Unit' => {
        'Description' => "The hub's certificate, of Secrets Manager",
        'Before' => 'caddy.service',
        'After' => 'network-online.target',
        'Wants' => 'network-online.target',
      },
      'Service' => {
        'Type' => 'oneshot',
        'ExecStart' => "#{Labswarm::Hub::TOOL} certificate #{hub['certificate_secret']} #{run}",
        'ExecStartPost' => '+systemctl try-reload-or-restart --no-block caddy.service',
        'Group' => 'caddy',
        'UMask' => '0027',
        'RuntimeDirectory' => ::File.basename(run),
        'RuntimeDirectoryMode' => '0750',
        'RuntimeDirectoryPreserve' => 'yes',
        'Restart' => 'on-failure',
        'RestartSec' => 10,
      },
      'Install' => { 'WantedBy' => 'caddy.service' }
    )
    action [:create, :enable]
  end

  systemd_unit 'labswarm-certificate.timer' do
    content(
      'Unit' => { 'Description' => 'Look for a renewed certificate each day' },
      'Timer' => { 'OnBootSec' => '1d', 'OnUnitActiveSec' => '1d', 'RandomizedDelaySec' => 3600 },
      'Install' => { 'WantedBy' => 'timers.target' }
    )
    action [:create, :enable, :start]
  end

  service 'labswarm-certificate.service' do
    action :start
    not_if { ::File.exist?("#{run}/certificate.pem") }
  end
else
  # A hub that has moved to Let's Encrypt keeps neither the units nor the department's key.
  systemd_unit 'labswarm-certificate.timer' do
    action [:stop, :disable, :delete]
  end

  systemd_unit 'labswarm-certificate.service' do
    action [:stop, :disable, :delete]
  end

  directory run do
    recursive true
    action :delete
  end
end

# An alarm looks at it. One that Caddy signs itself lasts for hours, and is for trials.
if hub['domain']
  systemd_unit 'labswarm-certificate-days.service' do
    content(
      'Unit' => { 'Description' => "How long the hub's certificate is valid, to CloudWatch", 'After' => 'caddy.service' },
      'Service' => { 'Type' => 'oneshot', 'ExecStart' => "#{Labswarm::Hub::TOOL} certificate-days #{hub['domain']}" }
    )
    action :create
  end

  systemd_unit 'labswarm-certificate-days.timer' do
    content(
      'Unit' => { 'Description' => "Look each hour how long the hub's certificate is valid" },
      'Timer' => { 'OnBootSec' => '10min', 'OnUnitActiveSec' => '1h' },
      'Install' => { 'WantedBy' => 'timers.target' }
    )
    action [:create, :enable, :start]
  end
else
  systemd_unit 'labswarm-certificate-days.timer' do
    action [:stop, :disable, :delete]
  end

  systemd_unit 'labswarm-certificate-days.service' do
    action :delete
  end
end

systemd_unit 'caddy.service' do
  action [:enable, :start]
end
