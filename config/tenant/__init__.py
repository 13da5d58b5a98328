"""What a tenant's file may say, checked whole and against all others."""
