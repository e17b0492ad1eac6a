# A worker's run list: `chef install` pins each cookbook by its content, `chef push CLUSTER` gives
# it to one cluster.
name 'labswarm-worker'
run_list 'labswarm_worker::default'

cookbook 'labswarm_worker', path: '.'
cookbook 'labswarm_base', path: '../labswarm_base'
