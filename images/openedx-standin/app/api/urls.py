"""The addresses of the REST APIs, as edx-platform has them."""

from django.urls import path, re_path

from api import accounts, courses, discussion, enrollment, learning, session

KEY = r"(?P<key>course-v1:[^/+]+\+[^/+]+\+[^/+?]+)"
NAME = r"(?P<name>[\w.@+-]+)"
_user, _enrollment = "api/user/v1", "api/enrollment/v1"

urlpatterns = [
    path("csrf/api/v1/token", session.csrf),
    re_path(r"^(?:api/user|user_api)/v[12]/account/login_session/$", session.log_in),
    re_path(r"^(?:api/user|user_api)/v[12]/account/registration/$", session.register),
    re_path(r"^(?:api/user|user_api)/v1/account/password_reset/$", session.forgotten_form),
    path(f"{_user}/validation/registration", session.validate),
    path(f"{_user}/me", accounts.me),
    path(f"{_user}/accounts", accounts.several),
    path(f"{_user}/accounts/search_emails", accounts.by_emails),
    re_path(rf"^{_user}/accounts/{NAME}$", accounts.one),
    re_path(rf"^{_user}/accounts/{NAME}/deactivate/$", accounts.deactivate),
    re_path(rf"^{_user}/preferences/{NAME}$", accounts.preferences),
    path("api/courses/v1/courses/", courses.catalogue),
    re_path(rf"^api/courses/v1/courses/{KEY}/?$", courses.one),
    path("api/courses/v1/course_ids/", courses.ids),
    re_path(r"^api/courses/v[12]/blocks/$", courses.blocks),
    re_path(rf"^{_enrollment}/course/{KEY}/?$", enrollment.of_course),
    path(f"{_enrollment}/roles/", enrollment.roles),
    path(f"{_enrollment}/enrollment", enrollment.own),
    re_path(rf"^{_enrollment}/enrollment/{NAME},{KEY}$", enrollment.of),
    re_path(rf"^{_enrollment}/enrollment/{KEY}$", enrollment.of),
    re_path(rf"^{_enrollment}/enrollments/?$", enrollment.several),
    re_path(rf"^api/grades/v1/courses/{KEY}/$", learning.grades),
    re_path(rf"^api/grades/v1/policy/courses/{KEY}/$", learning.policy),
    re_path(rf"^api/grades/v1/gradebook/{KEY}/$", learning.gradebook),
    re_path(rf"^api/course_home/progress/{KEY}/?$", learning.progress),
    path("api/completion/v1/completion-batch", learning.complete),
    re_path(rf"^api/certificates/v0/certificates/{NAME}/courses/{KEY}/$", learning.certificate),
    re_path(rf"^api/certificates/v0/certificates/{NAME}/$", learning.certificates),
    re_path(rf"^api/discussion/v1/courses/{KEY}/?$", discussion.course),
    re_path(rf"^api/discussion/v1/course_topics/{KEY}/?$", discussion.topics),
    path("api/discussion/v1/threads/", discussion.threads),
    re_path(r"^api/discussion/v1/threads/(?P<thread>[0-9a-f]{24})/$", discussion.one),
    path("api/discussion/v1/comments/", discussion.comments),
]
