"""From whatever somebody holds to the logs of its calls: in this process, in a shared store, at the gateway."""
