"""The lab's Chef Server and what stands in for chef-client on its nodes."""
