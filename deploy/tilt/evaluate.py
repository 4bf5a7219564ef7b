"""Evaluates a Tiltfile with stand-ins for Tilt's functions and prints, as JSON, what it has called them with.

usage: evaluate.py FOLDER HELM < Tiltfile    FOLDER: where its paths start; HELM: the program helm.
TILT_CONTEXT is the context that kubectl points at. A function or parameter of Tilt's that is not here does not exist for the
Tiltfile; see https://docs.tilt.dev/api.html for the rest.
"""

import json
import os
import subprocess
import sys

import starlark
import yaml

# Those of libyaml where PyYAML has them: the chart is ten thousand lines, which takes Python itself seconds.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

folder, helm_program = sys.argv[1:3]
calls = []


def at(path):
    return os.path.join(folder, path)


# Parameters; those that are given by position come first, in Tilt's order.
RECORDED = {
    "allow_k8s_contexts": ["contexts"],
    "ci_settings": ["k8s_grace_period", "timeout", "readiness_timeout"],
    "docker_build": ["ref", "context", "build_args", "dockerfile", "live_update", "only", "target"],
    "k8s_resource": ["workload", "port_forwards", "trigger_mode", "resource_deps", "pod_readiness", "links", "labels"],
    "local_resource": ["name", "cmd", "deps", "trigger_mode", "resource_deps", "auto_init", "env", "allow_parallel", "labels"],
    "version_settings": ["check_updates", "constraint"],
}
VALUES = {
    "fall_back_on": ["files"],
    "link": ["url", "name"],
    "port_forward": ["local_port", "container_port", "name", "link_path", "host"],
    "sync": ["local_path", "remote_path"],
}


def bound(function, parameters, args, kwargs):
    """The arguments by the names of their parameters."""
    given = dict(zip(parameters, args), **kwargs)
    unknown = set(given) - set(parameters)
    if unknown or len(args) > len(parameters):
        raise TypeError(f"{function} has no parameter {', '.join(unknown) or len(args)}")
    return given


def recorder(function, parameters):
    """A stand-in that writes down its arguments and has no result."""

    def record(*args, **kwargs):
        calls.append({"function": function, **bound(function, parameters, args, kwargs)})

    return record


def valuer(function, parameters):
    """A stand-in whose result only says what it was made of."""
    return lambda *args, **kwargs: {"function": function, **bound(function, parameters, args, kwargs)}


def read_yaml(path):
    with open(at(path), encoding="utf-8") as file:
        return yaml.load(file, Loader)


def read_yaml_stream(path):
    with open(at(path), encoding="utf-8") as file:
        return list(yaml.load_all(file, Loader))


def listdir(path, recursive=False):
    """As Tilt: the absolute paths of files, and never those of folders."""
    walk = [(folder, files) for folder, _, files in os.walk(os.path.abspath(at(path)))]
    return [os.path.join(folder, file) for folder, files in (walk if recursive else walk[:1]) for file in files]


def helm(path, name="chart", namespace="", values=(), set=()):
    """As Tilt: without the pods of `helm test`, and with the namespace on each object."""
    command = [helm_program, "template", name, at(path), "--skip-tests", "--namespace", namespace]
    for file in values:
        command += ["--values", at(file)]
    for value in set:
        command += ["--set", value]
    rendered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    objects = [found for found in yaml.load_all(rendered, Loader) if found]
    for found in objects:
        found["metadata"].setdefault("namespace", namespace)
    return yaml.dump_all(objects, Dumper=Dumper)


def k8s_yaml(text):
    calls.append({"function": "k8s_yaml", "objects": list(yaml.load_all(text, Loader))})


functions = {
    "listdir": listdir,
    "read_yaml": read_yaml,
    "read_yaml_stream": read_yaml_stream,
    "helm": helm,
    "k8s_yaml": k8s_yaml,
    "decode_yaml_stream": lambda text: list(yaml.load_all(text, Loader)),
    "encode_yaml_stream": lambda objects: yaml.dump_all(objects, Dumper=Dumper),
    "k8s_context": lambda: os.environ.get("TILT_CONTEXT", "kind-telltale"),
    "getenv": lambda name, default=None: os.environ.get(name, default),
}
functions.update({function: valuer(function, parameters) for function, parameters in VALUES.items()})
functions.update({function: recorder(function, parameters) for function, parameters in RECORDED.items()})

module = starlark.Module()
for name, function in functions.items():
    module.add_callable(name, function)
module["TRIGGER_MODE_MANUAL"] = "manual"

# "os" is a module in a Tiltfile; the interpreter has structs.
prelude = "os = struct(getenv = getenv)\n"
known = starlark.Globals.extended_by([starlark.LibraryExtension.StructType])
for file, text in (("prelude", prelude), ("Tiltfile", sys.stdin.read())):
    starlark.eval(module, starlark.parse(file, text, starlark.Dialect.extended()), known)
json.dump(calls, sys.stdout)
