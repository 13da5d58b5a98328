"""Open edX's front ends (MFEs): applications that browsers load from a host of their own and that call lms and cms.

One entry a folder of the public image; which of them a release has is in its file (hub/front_ends of mfe).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class FrontEnd:
    """`settings` name its address to lms and cms, `addresses` names it to the other front ends: each with the path on its host."""

    settings: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    # What is on only where it is there: features of Open edX, and plain settings of the front ends.
    features: tuple[str, ...] = ()
    switches: Mapping[str, object] = field(default_factory=dict)


def _authoring(path: str) -> FrontEnd:
    pages = ("ASSETS_PAGE", "HOME_PAGE_COURSE_API_V2", "PROGRESS_GRAPH_SETTINGS", "TAGGING_TAXONOMY_PAGES")
    return FrontEnd(
        settings={"COURSE_AUTHORING_MICROFRONTEND_URL": path},
        addresses={"COURSE_AUTHORING_MICROFRONTEND_URL": path},
        switches={f"ENABLE_{each}": "true" for each in pages},
    )


FRONT_ENDS: Mapping[str, FrontEnd] = {
    "account": FrontEnd(
        settings={"ACCOUNT_MICROFRONTEND_URL": "/account/"}, addresses={"ACCOUNT_SETTINGS_URL": "/account/"}
    ),
    "admin-console": FrontEnd(
        settings={"ADMIN_CONSOLE_MICROFRONTEND_URL": "/admin-console"},
        addresses={"ADMIN_CONSOLE_URL": "/admin-console"},
    ),
    "authn": FrontEnd(
        settings={"AUTHN_MICROFRONTEND_URL": "/authn"},
        features=("ENABLE_AUTHN_MICROFRONTEND",),
        switches={"DISABLE_ENTERPRISE_LOGIN": True},
    ),
    "authoring": _authoring("/authoring"),
    "catalog": FrontEnd(
        settings={"CATALOG_MICROFRONTEND_URL": "/catalog"}, features=("ENABLE_CATALOG_MICROFRONTEND",)
    ),
    "communications": FrontEnd(
        settings={"COMMUNICATIONS_MICROFRONTEND_URL": "/communications"},
        features=("ENABLE_NEW_BULK_EMAIL_EXPERIENCE",),
        switches={"SCHEDULE_EMAIL_SECTION": True},
    ),
    "course-authoring": _authoring("/course-authoring"),
    "discussions": FrontEnd(
        settings={"DISCUSSIONS_MICROFRONTEND_URL": "/discussions"},
        addresses={"DISCUSSIONS_MFE_BASE_URL": "/discussions"},
    ),
    "gradebook": FrontEnd(settings={"WRITABLE_GRADEBOOK_URL": "/gradebook"}),
    "learner-dashboard": FrontEnd(settings={"LEARNER_HOME_MICROFRONTEND_URL": "/learner-dashboard/"}),
    "learning": FrontEnd(
        settings={"LEARNING_MICROFRONTEND_URL": "/learning"}, addresses={"LEARNING_BASE_URL": "/learning"}
    ),
    "ora-grading": FrontEnd(settings={"ORA_GRADING_MICROFRONTEND_URL": "/ora-grading"}),
    "profile": FrontEnd(
        settings={"PROFILE_MICROFRONTEND_URL": "/profile/u/"}, addresses={"ACCOUNT_PROFILE_URL": "/profile"}
    ),
    # Newer front ends are one application, whose paths are those that no other has.
    "site": FrontEnd(settings={"INSTRUCTOR_MICROFRONTEND_URL": "/instructor-dashboard"}),
}
