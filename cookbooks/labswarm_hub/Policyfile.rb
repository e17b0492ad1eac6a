name 'labswarm-hub'
run_list 'labswarm_hub::default'

cookbook 'labswarm_hub', path: '.'
cookbook 'labswarm_base', path: '../labswarm_base'
