"""The environment of Ray in tests: its C++ part reads it once, when a process first imports ray."""

# Ray gives up early on a busy machine, and starts its workers at the lowest priority.
PATIENCE = {
    "RAY_worker_niceness": "0",
    "RAY_raylet_start_wait_time_s": "600",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_gcs_server_request_timeout_seconds": "600",
    "RAY_health_check_timeout_ms": "300000",
    "RAY_health_check_period_ms": "500",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
}
