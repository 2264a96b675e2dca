"""The HTTP side of the service: classification, batch jobs, health, metrics, status page."""
