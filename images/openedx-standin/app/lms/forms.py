"""What learners write."""

from django import forms


class AnswerForm(forms.Form):
    """An answer in the discussion."""

    body = forms.CharField(label="Your answer", max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))


class ThreadForm(forms.Form):
    """A new thread."""

    title = forms.CharField(label="Subject", max_length=200)
    body = forms.CharField(label="Your post", max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))
