"""A new course, and its image."""

from django import forms
from django.core.validators import RegexValidator

from cms import uploads
from courses import key

_part = RegexValidator(rf"^{key.PART}\Z", "Letters without accents, digits and _ . ~ - only, 50 at most.")


def _image(**more: bool) -> forms.FileField:
    return forms.FileField(
        label="Image",
        help_text="PNG, JPEG or WebP, 2 MiB at most.",
        validators=[uploads.ending_of],
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        **more,
    )


class ImageForm(forms.Form):
    """Another image."""

    image = _image()


class CourseForm(forms.Form):
    """The parts of a course's key, and the texts that learners see."""

    title = forms.CharField(max_length=200)
    org = forms.CharField(label="Organization", validators=[_part], help_text="For example: acme")
    number = forms.CharField(label="Course number", validators=[_part], help_text="For example: PY101")
    run = forms.CharField(label="Course run", validators=[_part], help_text="For example: 2024_T1")
    description = forms.CharField(max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 4}))
    lesson = forms.CharField(
        label="Text of the first unit",
        max_length=20000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    image = _image(required=False)
