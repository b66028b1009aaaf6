"""What the chart made, by kind and service."""

from deploy.names import SERVICES
from tests.support.chart import Manifest, kept


def of_kind(case: str, kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in kept(case)[1] if one["kind"] == kind}


def services(case: str) -> dict[str, Manifest]:
    found = of_kind(case, "Deployment")
    return {name: found[f"assay-{name}"] for name in SERVICES}


def pods(case: str) -> list[Manifest]:
    found = {**of_kind(case, "Deployment"), **of_kind(case, "Job")}
    return [one["spec"]["template"]["spec"] for one in found.values()]


def containers(case: str) -> list[Manifest]:
    return [
        one for pod in pods(case) for one in [*pod.get("initContainers", []), *pod["containers"]]
    ]


def env_of(container: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container.get("env", [])}


def plain(variables: dict[str, str]) -> set[str]:
    return {
        name.removesuffix("_FILE") if value.startswith("/run/secrets/") else name
        for name, value in variables.items()
    }


def files_of(pod: Manifest, mounted: str) -> set[str]:
    """Names of the files that this volume brings."""
    (volume,) = [one for one in pod["volumes"] if one["name"] == mounted]
    sources = volume.get("projected", {}).get("sources", [volume])
    return {item["path"] for one in sources for item in one["secret"]["items"]}
