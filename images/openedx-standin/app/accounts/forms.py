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
    """A new learner. A user name cannot look like an e-mail address, so that a log-in by either is unambiguous."""

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

    def clean_username(self) -> str:
        """The user name. The first admin's name is reserved, because create-admin makes its user a superuser."""
        name: str = self.cleaned_data["username"]
        if name.lower() == str(settings.ADMIN.get("username", "")).lower():
            raise ValidationError("This user name is taken.")
        return name

    def clean_email(self) -> str:
        """The address. One that no mail can reach is refused, because the account could not be activated."""
        email: str = self.cleaned_data["email"]
        if refusal := addresses.refusal(email):
            raise ValidationError(refusal)
        return email

    def save(self, commit: bool = True) -> User:
        """Create the user: inactive until the mail's link is used, unless the portal does not require that."""
        self.instance.is_active = settings.SKIP_EMAIL_VALIDATION
        user: User = super().save(commit)
        return user


class ResetForm(forms.Form):
    """The address of the user who needs a new password."""

    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
