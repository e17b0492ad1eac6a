name 'labswarm-worker'
run_list 'labswarm_worker::default'

cookbook 'labswarm_worker', path: '.'
cookbook 'labswarm_base', path: '../labswarm_base'
