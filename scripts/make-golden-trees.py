#!/usr/bin/python3
"""Makes test/golden/trees: small XGBoost models with what XGBoost itself predicts for 200 rows each.

Needs Debian's python3-xgboost (1.7.4), hence its Python: /usr/bin/python3 scripts/make-golden-trees.py

Beside each model `name.json` or `name.ubj` stands `name.golden.json`:
{"rows": [[0.25, null, ...], ...], "margin": [[...], ...], "predict": [[...], ...]} with null for a missing value.
"""

import json
import pathlib
import shutil

import numpy
import xgboost

OUT = pathlib.Path(__file__).parent.parent / "test" / "golden" / "trees"
ROWS = 200
FEATURES = 5


def rows_with_gaps(seed, gaps):
    """Values of two decimals, so that thresholds and rows often meet, and some of them missing."""
    random = numpy.random.default_rng(seed)
    rows = random.integers(0, 100, (ROWS, FEATURES)) / 100
    rows[random.random(rows.shape) < gaps] = numpy.nan
    return rows.astype(numpy.float32)


def targets(rows):
    filled = numpy.nan_to_num(rows, nan=0.3)
    return filled[:, 0] + filled[:, 1] * filled[:, 2] - numpy.abs(filled[:, 3] - 0.4)


def golden(values):
    """Nine digits give every float32 back; null is a missing value."""
    if isinstance(values, list):
        return [golden(value) for value in values]
    return None if numpy.isnan(values) else float(f"{values:.9g}")


def write(name, params, *, seed, rounds=8, gaps=0.1, label=None, suffixes=("json",), names=None, categories=None):
    rows = rows_with_gaps(seed, gaps)
    types = None
    if categories is not None:
        column, count = categories
        rows[:, column] = numpy.floor(rows[:, column] * count)
        types = ["c" if index == column else "q" for index in range(FEATURES)]
    data = xgboost.DMatrix(
        rows,
        label(rows) if label else targets(rows),
        feature_names=names,
        feature_types=types,
        enable_categorical=categories is not None,
    )
    if params["objective"] == "survival:aft":
        data.set_float_info("label_lower_bound", 1 + numpy.abs(targets(rows)))
        data.set_float_info("label_upper_bound", 2 + numpy.abs(targets(rows)))
    booster = xgboost.train({"max_depth": 3, "seed": seed, "nthread": 1, "verbosity": 0, **params}, data, rounds)
    if categories is not None:
        # Values that no split has seen: unknown, negative, not whole, beyond what XGBoost takes for a category.
        rows[:6, categories[0]] = [count + 3, -1, -0.5, 2.75, 2**25, numpy.nan]
        data = xgboost.DMatrix(rows, feature_names=names, feature_types=types, enable_categorical=True)
    expected = {
        "rows": golden(rows.tolist()),
        "margin": golden(booster.predict(data, output_margin=True).reshape(ROWS, -1).tolist()),
        "predict": golden(booster.predict(data).reshape(ROWS, -1).tolist()),
    }
    for suffix in suffixes:
        booster.save_model(OUT / f"{name}.{suffix}")
    (OUT / f"{name}.golden.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


def positive(rows):
    return (targets(rows) > 0.3).astype(int)


def classes(rows):
    return numpy.digitize(targets(rows), [0.1, 0.5])


def above_zero(rows):
    return numpy.abs(targets(rows)) + 0.01


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    both = ("json", "ubj")
    joints = [f"joint{index}" for index in range(FEATURES)]

    write("logistic", {"objective": "binary:logistic"}, seed=1, rounds=40, label=positive, suffixes=both, names=joints)
    write("logistic-base", {"objective": "binary:logistic", "base_score": 0.3}, seed=2, label=positive)
    write("logitraw-base", {"objective": "binary:logitraw", "base_score": 0.3}, seed=3, label=positive)
    write("reg-logistic-base", {"objective": "reg:logistic", "base_score": 0.8}, seed=4, label=positive)
    write("hinge", {"objective": "binary:hinge"}, seed=5, label=positive)
    write("squared", {"objective": "reg:squarederror", "base_score": -2.5}, seed=6, rounds=20)
    write("absolute", {"objective": "reg:absoluteerror"}, seed=7)
    write("poisson", {"objective": "count:poisson", "base_score": 1.7}, seed=8, label=classes)
    write("gamma", {"objective": "reg:gamma", "base_score": 0.2}, seed=9, label=above_zero)
    write("tweedie", {"objective": "reg:tweedie"}, seed=10, label=above_zero)
    write("cox", {"objective": "survival:cox"}, seed=11, label=above_zero)
    write("aft", {"objective": "survival:aft", "base_score": 0.6}, seed=12)
    write("softprob", {"objective": "multi:softprob", "num_class": 3}, seed=13, label=classes, suffixes=both)
    write("softmax", {"objective": "multi:softmax", "num_class": 3}, seed=14, label=classes)
    write(
        "dart",
        {"booster": "dart", "rate_drop": 0.4, "objective": "binary:logistic"},
        seed=15,
        rounds=15,
        label=positive,
        suffixes=both,
    )
    write("linear", {"booster": "gblinear", "objective": "reg:squarederror"}, seed=16, suffixes=both)
    write(
        "linear-softprob",
        {"booster": "gblinear", "objective": "multi:softprob", "num_class": 3},
        seed=17,
        label=classes,
    )
    write(
        "forest",
        {"objective": "binary:logistic", "num_parallel_tree": 5, "subsample": 0.6, "colsample_bynode": 0.6},
        seed=18,
        rounds=2,
        label=positive,
    )
    write("missing", {"objective": "reg:squarederror"}, seed=19, gaps=0.5, suffixes=both)
    write("pruned", {"objective": "reg:squarederror", "gamma": 1.5, "tree_method": "exact"}, seed=20)
    write("single-leaf", {"objective": "binary:logistic", "max_depth": 1, "gamma": 1000}, seed=21, label=positive)
    write("no-trees", {"objective": "binary:logistic", "base_score": 0.4}, seed=22, rounds=0, label=positive)
    write(
        "categories-one-hot",
        {"objective": "reg:squarederror", "tree_method": "hist", "max_cat_to_onehot": 100},
        seed=23,
        categories=(0, 9),
        suffixes=both,
    )
    write(
        "categories-lists",
        {"objective": "reg:squarederror", "tree_method": "hist", "max_cat_to_onehot": 1},
        seed=24,
        categories=(0, 40),
        gaps=0.3,
        suffixes=both,
    )


if __name__ == "__main__":
    main()
