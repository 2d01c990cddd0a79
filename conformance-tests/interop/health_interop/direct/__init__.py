"""Restarts of instances whose clients have no load balancer."""
