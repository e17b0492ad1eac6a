output "architecture" {
  description = "The image's architecture, such as x86_64; null if the image does not exist."
  value       = try(local.image.architecture, null)
}

output "root_device_name" {
  description = "The name of the image's root device. If the image does not exist, the name that all images of packer/ have."
  value       = try(local.image.root_device_name, "/dev/sda1")
}

output "root_volume_gib" {
  description = "The size of the image's root snapshot (GiB), which is the least that a root volume may have; 0 if the image does not exist."
  value = max(0, [
    for volume in local.image == null ? [] : tolist(local.image.block_device_mappings) : try(tonumber(volume.ebs.volume_size), 0)
    if try(volume.device_name == local.image.root_device_name, false)
  ]...)
}
