"""What the lms tells a client of the user who let it in."""

from django.http import JsonResponse
from oauth2_provider.decorators import protected_resource


@protected_resource(scopes=["profile"])
def user_info(request):
    """Names as in the tokens that Open edX's studio reads."""
    user = request.resource_owner
    return JsonResponse(
        {
            "user_id": user.pk,
            "preferred_username": user.username,
            "name": user.get_full_name() or user.username,
            "email": user.email,
            "administrator": user.is_staff,
        }
    )
