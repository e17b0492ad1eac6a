"""Service Quotas: the quotas of EC2, Lambda and Systems Manager that an operator looks at, which
moto has not. Of Systems Manager's the rates are listed that a fault has set.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
"""

import json
from typing import Any

from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.faults import ConcurrencyFaults, QuotaFaults, RateFaults

CONCURRENCY = "L-B99A9384"
# Their defaults: https://docs.aws.amazon.com/general/latest/gr/ec2-service.html
_EC2 = {
    "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5),
    "L-34B43A08": ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5),
    "L-0263D0A3": ("EC2-VPC Elastic IPs", 5),
}


def install(emulator: Emulator) -> None:
    """Answer GetServiceQuota for these quotas; for others as moto does."""
    get_service_quota = ServiceQuotasBackend.get_service_quota

    def known(service: str, code: str) -> tuple[str, int] | None:
        if (service, code) == ("lambda", CONCURRENCY):
            usual = emulator.settings.function_concurrency
            return "Concurrent executions", emulator.faults.on(ConcurrencyFaults).limit(usual)
        if service != "ec2" or code not in _EC2:
            return None
        name, default = _EC2[code]
        return name, emulator.faults.on(QuotaFaults).values.get(code, default)

    def quota_of(
        backend: ServiceQuotasBackend, service_code: str, quota_code: str
    ) -> dict[str, Any]:
        quota = known(service_code, quota_code)
        if quota is None:
            found: dict[str, Any] = get_service_quota(backend, service_code, quota_code)
            return found
        name, value = quota
        return {
            "ServiceCode": service_code,
            "QuotaCode": quota_code,
            "QuotaName": name,
            "Value": float(value),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }

    list_defaults = ServiceQuotasBackend.list_aws_default_service_quotas

    def listed(backend: ServiceQuotasBackend, service_code: str) -> list[dict[str, Any]]:
        if service_code != "ssm":
            found: list[dict[str, Any]] = list_defaults(backend, service_code)
            return found
        rates = emulator.faults.on(RateFaults).calls_per_s
        return [_rate(a.removeprefix("ssm:"), r) for a, r in rates.items() if a.startswith("ssm:")]

    def list_service_quotas(api: ServiceQuotasResponse) -> str:
        # No value of this account was ever raised.
        service_code = str(json.loads(api.body).get("ServiceCode"))
        return json.dumps({"Quotas": api.backend.list_aws_default_service_quotas(service_code)})

    ServiceQuotasBackend.get_service_quota = quota_of
    ServiceQuotasBackend.list_aws_default_service_quotas = listed
    ServiceQuotasResponse.list_service_quotas = list_service_quotas


def _rate(operation: str, per_s: float) -> dict[str, Any]:
    """As AWS lists the rate of an operation; the code is none of AWS's.

    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ServiceQuota.html
    """
    return {
        "ServiceCode": "ssm",
        "QuotaCode": f"L-{operation}",
        "QuotaName": f"Transactions per second (TPS) for the {operation} API",
        "Value": per_s,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "Period": {"PeriodValue": 1, "PeriodUnit": "SECOND"},
    }
