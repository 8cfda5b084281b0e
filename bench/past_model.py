"""A model for benchmarks: of made-up traffic of the past, so that it is asked about all that a benchmark sends."""

FOLD = ("features", "--window", "1s")


def train(flowcast, partitions):
    """The records of models.v1. `flowcast`: a support.Flowcast, whose topics are made."""
    flowcast.create_topics(partitions)
    flowcast.succeed("cli", "generate", "--links", 20, "--rate", 10, "--bursts-per-hour", 30, "--duration", "4m", "--source", "past",
                     timeout_s=300)
    flowcast.succeed(*FOLD, "--exit-when-idle", "2s", timeout_s=300)
    flowcast.succeed("trainer", "--once", "--epochs", "3", "--model-dir", flowcast.folder / "models", timeout_s=600)
    return flowcast.records("models")


def begin(flowcast, partitions, models):
    """New topics, with the model on its own."""
    flowcast.create_topics(partitions)
    for record in models:
        flowcast.send("models", record.value, record.key)
