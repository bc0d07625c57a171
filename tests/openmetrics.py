"""A strict reader of the OpenMetrics text format: raises ValueError where a text is not that."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)$")
SUFFIXES = {"counter": {"_total"}, "gauge": {""}, "histogram": {"_bucket", "_count", "_sum"}}


def labels_of(text):
    labels = {}
    at = 0
    while at < len(text):
        found = LABEL.match(text, at)
        if not found:
            raise ValueError(f"labels: {text}")
        if found[1] in labels:
            raise ValueError(f"label twice: {text}")
        labels[found[1]] = found[2]
        at = found.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise ValueError(f"labels: {text}")
            at += 1
    return labels


def check_histogram(name, samples):
    series = {}
    for suffix, labels, value in samples:
        rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        series.setdefault(rest, {"_bucket": []})
        if suffix == "_bucket":
            series[rest]["_bucket"].append((float(labels["le"]), value))
        else:
            series[rest][suffix] = value
    for rest, parts in series.items():
        buckets = parts["_bucket"]
        if buckets != sorted(buckets) or [n for _, n in buckets] != sorted(n for _, n in buckets):
            raise ValueError(f"{name}{rest}: buckets are not in order")
        if not buckets or buckets[-1][0] != float("inf") or buckets[-1][1] != parts.get("_count"):
            raise ValueError(f"{name}{rest}: the last bucket is not the count")
        if "_sum" not in parts:
            raise ValueError(f"{name}{rest}: no sum")


def parse(text):
    """{family: (type, [(suffix, labels, value)])}."""
    if not text.endswith("# EOF\n") or text.count("# EOF") != 1:
        raise ValueError("does not end with # EOF")
    families = {}
    family = None
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            if family in families or kind not in SUFFIXES or not re.fullmatch(NAME, family):
                raise ValueError(line)
            families[family] = (kind, [])
        elif line.startswith("# HELP ") or line.startswith("# UNIT "):
            if line.split(" ")[2] != family or families[family][1]:
                raise ValueError(f"{line}: not where it belongs")
        else:
            found = SAMPLE.match(line)
            if not found or family is None or not found[1].startswith(family):
                raise ValueError(line)
            kind, samples = families[family]
            suffix = found[1][len(family):]
            labels = labels_of(found[2] or "")
            if suffix not in SUFFIXES[kind]:
                raise ValueError(f"{line}: {suffix} of a {kind}")
            if any((suffix, labels) == (one, other) for one, other, _ in samples):
                raise ValueError(f"{line}: stands there twice")
            value = float(found[3])
            if kind != "gauge" and value < 0:
                raise ValueError(line)
            samples.append((suffix, labels, value))
    for name, (kind, samples) in families.items():
        if kind == "histogram":
            check_histogram(name, samples)
    return families
