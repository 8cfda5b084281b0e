#!/usr/bin/python3
"""Prints alerts that fire and are resolved; needs confluent-kafka (Debian: python3-confluent-kafka)."""

import argparse
import json
import signal
import sys

from confluent_kafka import Consumer, KafkaException

WANTED = (b"io.flowcast.alert.firing", b"io.flowcast.alert.resolved")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--topic", default="flowcast.alerts.v1")
    parser.add_argument("--group", default="alert-printer", help="who has the same group shares the alerts")
    options = parser.parse_args()
    consumer = Consumer({
        "bootstrap.servers": options.brokers,
        "group.id": options.group,
        "isolation.level": "read_committed",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    })
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    consumer.subscribe([options.topic])
    try:
        follow(consumer)
    finally:
        consumer.close()  # leaves the group, so that another need not wait for a time-out


def follow(consumer: Consumer) -> None:
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        headers = dict(message.headers() or [])
        if headers.get("ce_type") in WANTED:  # the value is not looked at otherwise
            handle(json.loads(message.value()))
        consumer.commit(message, asynchronous=False)  # only now: after a crash it comes again


def handle(alert: dict) -> None:
    if not alert["silenced"] and "fired_at" in alert:
        print(alert["made_at"], alert["state"], alert["severity"], alert["summary"], sep="  ", flush=True)


if __name__ == "__main__":
    main()
