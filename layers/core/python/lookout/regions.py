"""AWS regions and the city people know them by."""

from typing import Final

CITIES: Final = {
    "us-east-1": "Virginia",
    "us-east-2": "Ohio",
    "us-west-1": "California",
    "us-west-2": "Oregon",
    "ca-central-1": "Montreal",
    "ca-west-1": "Calgary",
    "mx-central-1": "Querétaro",
    "sa-east-1": "São Paulo",
    "eu-west-1": "Dublin",
    "eu-west-2": "London",
    "eu-west-3": "Paris",
    "eu-central-1": "Frankfurt",
    "eu-central-2": "Zurich",
    "eu-north-1": "Stockholm",
    "eu-south-1": "Milan",
    "eu-south-2": "Spain",
    "il-central-1": "Tel Aviv",
    "me-south-1": "Bahrain",
    "me-central-1": "UAE",
    "af-south-1": "Cape Town",
    "ap-south-1": "Mumbai",
    "ap-south-2": "Hyderabad",
    "ap-east-1": "Hong Kong",
    "ap-southeast-1": "Singapore",
    "ap-southeast-2": "Sydney",
    "ap-southeast-3": "Jakarta",
    "ap-southeast-4": "Melbourne",
    "ap-southeast-5": "Kuala Lumpur",
    "ap-southeast-7": "Bangkok",
    "ap-northeast-1": "Tokyo",
    "ap-northeast-2": "Seoul",
    "ap-northeast-3": "Osaka",
}


def city(region: str) -> str:
    """The city of a region, or the region itself where we know none."""
    return CITIES.get(region, region)
