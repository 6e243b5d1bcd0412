"""The process that Spark's Python workers are forked from, with their imports done once instead of in each of them."""

import pandas as pd  # noqa: F401
import pyspark.worker  # noqa: F401
from pyspark.daemon import manager

import streams.engines.spark.processor  # noqa: F401

if __name__ == "__main__":
    manager()
