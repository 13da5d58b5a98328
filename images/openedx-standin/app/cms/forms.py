"""A new course."""

from django import forms
from django.core.validators import RegexValidator

from courses import key

_part = RegexValidator(rf"^{key.PART}\Z", "Letters without accents, digits and _ . ~ - only, 50 at most.")


class CourseForm(forms.Form):
    """What a course's key is made of, and what learners read of it."""

    title = forms.CharField(max_length=200)
    org = forms.CharField(label="Organization", validators=[_part], help_text="For example: acme")
    number = forms.CharField(label="Course number", validators=[_part], help_text="For example: PY101")
    run = forms.CharField(label="Course run", validators=[_part], help_text="For example: 2024_T1")
    description = forms.CharField(max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 4}))
