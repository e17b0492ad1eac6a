"""The form in which moto's CloudFormation wants a type of resource, for the types that it lacks."""

# ruff: noqa: ARG003  # the signatures are moto's

from typing import Any, ClassVar, Self


class Resource:
    """A resource of a stack, known by its physical id. A subclass says how it is made and deleted.

    No model itself: moto knows the direct subclasses of its CloudFormationModel.
    """

    TYPE: ClassVar[str]
    NAME: ClassVar[str] = ""
    """The property with the name that the template gives, if the type has one."""

    def __init__(self, physical_id: str, account_id: str, region_name: str) -> None:
        self.physical_id = physical_id
        self.account_id = account_id
        self.region_name = region_name

    @classmethod
    def make(cls, name: str, given: Any, account_id: str, region_name: str) -> str:
        """Make the resource, or give the one of this name these properties; its physical id."""
        raise NotImplementedError

    @classmethod
    def delete(cls, physical_id: str, account_id: str, region_name: str) -> None:
        """Delete the resource."""
        raise NotImplementedError

    @classmethod
    def change(cls, old_id: str, given: Any, account_id: str, region_name: str) -> str:
        """Give the resource these properties; its physical id. A new one replaces it."""
        cls.delete(old_id, account_id, region_name)
        return cls.make("", given, account_id, region_name)

    @property
    def physical_resource_id(self) -> str:
        return self.physical_id

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.NAME

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.TYPE

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> Self:
        given = cloudformation_json["Properties"]
        made = cls.make(resource_name, given, account_id, region_name)
        return cls(made, account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Self:
        old_id, given = original_resource.physical_resource_id, cloudformation_json["Properties"]
        changed = cls.change(old_id, given, account_id, region_name)
        return cls(changed, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        cls.delete(resource_name, account_id, region_name)
