"""Registration, log-in, a new password."""

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from accounts import addresses
from accounts.models import User


class LogInForm(AuthenticationForm):
    """By user name or e-mail address."""

    username = forms.CharField(
        label="E-mail or user name",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )


class RegistrationForm(BaseUserCreationForm):
    """A new learner. A user name is no e-mail address, so that log-in by either is never two people's."""

    username = forms.CharField(
        label="Public user name",
        min_length=2,
        max_length=30,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+\Z", "Letters without accents, digits, - and _ only.")],
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    field_order = ("email", "username", "password1", "password2")

    class Meta:
        model = User
        fields = ("email", "username")
        widgets = {"email": forms.EmailInput(attrs={"autocomplete": "email"})}

    def clean_username(self):
        """The first admin's name is kept for it: create-admin makes whoever has it a superuser."""
        name = self.cleaned_data["username"]
        if name.lower() == str(settings.ADMIN.get("username", "")).lower():
            raise ValidationError("This user name is taken.")
        return name

    def clean_email(self):
        """An address that no mail can reach would be an account that nobody can make active."""
        email = self.cleaned_data["email"]
        if refusal := addresses.refusal(email):
            raise ValidationError(refusal)
        return email

    def save(self, commit=True):
        """Not active before the link of the mail is opened, unless the portal does without."""
        self.instance.is_active = settings.SKIP_EMAIL_VALIDATION
        return super().save(commit)


class ResetForm(forms.Form):
    """Whose password is to be set anew."""

    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
