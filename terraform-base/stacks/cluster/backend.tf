# Each cluster has a state of its own: the key is given at init, as README.md shows.
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
