"""The lab's Chef Server and the stand-in for chef-client on its nodes."""
