# The hub. README.md describes each.

default['labswarm_hub']['data'] = '/srv/labswarm'

# One network for all servers: a /24 runs out near 250 students and nodes.
default['labswarm_hub']['address_pool'] = '10.97.0.0/16'
default['labswarm_hub']['subnet_size'] = 20
# No student's server runs on the hub: its Engine may restart when no class is expected.
default['labswarm_base']['engine_updates'] = 'Sun *-*-* 04:00:00'
default['labswarm_hub']['rotate_join_token_at'] = '*-*-* 04:00:00'

default['labswarm_hub']['source'] = '/opt/labswarm/src'
default['labswarm_hub']['snapshot_command'] = '/usr/local/bin/labswarm-snapshot'
default['labswarm_hub']['document_command'] = '/usr/local/bin/labswarm-document'

# The page for instructors: its program, its token, who teaches which group of students, and the
# people of groups where the login has none.
default['labswarm_hub']['labs_command'] = '/usr/local/bin/labswarm-labs'
default['labswarm_hub']['labs_token_file'] = '/srv/labswarm/hub/labs.token'
default['labswarm_hub']['instructors'] = {}
default['labswarm_hub']['members'] = {}

# The hub's image: built on the hub (recipes/jupyterhub.rb), with these packages in addition.
default['labswarm_hub']['image'] = nil
default['labswarm_hub']['python_packages'] = []

# The department decides who may log in: there is no default.
default['labswarm_hub']['authenticator'] = nil
default['labswarm_hub']['admins'] = []
default['labswarm_hub']['conf'] = {}

default['labswarm_hub']['idle_timeout_s'] = 3600
default['labswarm_hub']['idle_warning_s'] = 300
default['labswarm_hub']['longest_server_s'] = 86_400
# Hours per student and week outside of booked labs; 0: no limit.
default['labswarm_hub']['hours_per_week'] = 0
default['labswarm_hub']['limit']['memory_factor'] = 2
default['labswarm_hub']['limit']['nano_cpus'] = 1_000_000_000
default['labswarm_hub']['limit']['pids'] = 512

default['labswarm_hub']['profiles'] = {}
default['labswarm_hub']['command'] = ['jupyterhub-singleuser']
default['labswarm_hub']['proxy_image'] = 'quay.io/jupyterhub/configurable-http-proxy:5.3.0'
default['labswarm_hub']['proxy_command'] = ['configurable-http-proxy']
default['labswarm_hub']['proxy_memory'] = '512M'
default['labswarm_hub']['environment'] = {
  # Connection files and cookie secrets of one run: no use in the home.
  'JUPYTER_RUNTIME_DIR' => '/tmp/jupyter-runtime',
  # Next to Jupyter's own folders: settings, and the extension of the page.
  'JUPYTER_CONFIG_PATH' => '/etc/labswarm/jupyter',
  'JUPYTER_PATH' => '/etc/labswarm/jupyter',
}

# In the networks of the hub and its proxy: data for a server that cannot be reached is given up within seconds.
# The kernel would send it for minutes, also after the node's link is up again. An older save that was on
# its way would then reach the former server, and overwrite a newer save that was made elsewhere.
sysctl = ::File.read(::File.join(__dir__, '../files/default/sysctl.json'))
default['labswarm_hub']['sysctl'] = JSON.parse(sysctl)

# The files that labswarm_worker puts on each worker, and the places where Jupyter and IPython look
# for them.
default['labswarm_hub']['read_only_mounts'] = {
  '/etc/labswarm/class/jupyter_server_config.json' => '/etc/jupyter/jupyter_server_config.d/labswarm.json',
  '/etc/labswarm/class/ipython_config.py' => '/etc/ipython/ipython_config.py',
  '/etc/labswarm/class/jupyter_server_path.py' => '/etc/labswarm/jupyter/jupyter_server_config.py',
  '/etc/labswarm/class/labswarm_notice.py' => '/etc/labswarm/jupyter/labswarm_notice.py',
  '/etc/labswarm/class/labswarm_limits.py' => '/etc/labswarm/jupyter/labswarm_limits.py',
  '/etc/labswarm/class/overrides.json' => '/etc/labswarm/jupyter/labconfig/default_setting_overrides.json',
  '/etc/labswarm/class/jupyterlab-labswarm' => '/etc/labswarm/jupyter/labextensions/jupyterlab-labswarm',
}
