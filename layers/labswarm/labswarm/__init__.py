"""The domain of labswarm (pure), and its adapters to AWS, Chef and Swarm."""
