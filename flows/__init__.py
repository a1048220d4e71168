"""When stages run: order, parallelism, devices, retries, schedules. The rest is DVC's."""
