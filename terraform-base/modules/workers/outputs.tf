# These values depend on no resource, so a plan has them, and the lab reads them from its plan.
output "settings" {
  description = "This group's part of the cluster's description."
  value = {
    name = var.name
    asg  = local.asg
    seat = {
      memory_bytes = var.seat.memory_mib * 1048576
      nano_cpus    = floor(var.seat.cpu * 1000000000 + 0.5)
    }
    overhead = {
      memory_bytes = var.overhead.memory_mib * 1048576
      nano_cpus    = floor(var.overhead.cpu * 1000000000 + 0.5)
    }
    headroom         = var.headroom
    images           = var.images
    empty_deadline_s = var.empty_deadline_minutes * 60
    timetable        = var.timetable
    node_start_s     = var.node_start_seconds
    min_nodes        = var.min_nodes
    max_nodes        = var.max_nodes
  }
}

output "seats_per_node" {
  description = "The most seats that a worker of each instance type has. The kernel keeps some of the memory."
  value       = local.seats_per_node
}
