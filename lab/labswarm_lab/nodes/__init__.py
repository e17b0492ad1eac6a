"""The lab's machines: real Docker Engines in namespaces of this one, or simulated ones."""
