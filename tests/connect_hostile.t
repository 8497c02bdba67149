#!/bin/sh
# Addresses that swallow, proxies that lie.
exec python3 "$(dirname "$0")/hostile/connect.py"
