"""The portal that the records are about: who is there, which courses, and what is noted of calls to the forum.

Texts of Python that run in containers of the stand-in's image.
"""

PASSWORD = "First-Of-All-7719"
SECRET = "of-the-recording-client"

# In the lms. Run again it changes nothing.
SEED = f"""
import datetime, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "standin.settings"
django.setup()
from accounts.models import Profile, User
from courses import store
from oauth2_provider.models import Application

CREDENTIALS, CODE = Application.GRANT_CLIENT_CREDENTIALS, Application.GRANT_AUTHORIZATION_CODE
for name in ("service", "learner", "other", "idle"):
    user, _ = User.objects.get_or_create(username=name, defaults={{"email": name + "@bench.test"}})
    user.is_staff, user.is_active = name == "service", name != "idle"
    user.set_password({PASSWORD!r})
    user.save()
    Profile.objects.get_or_create(user=user, defaults={{"name": name.title()}})
for client, grant, of in (
    ("recorder", CREDENTIALS, "service"),
    ("recorder-learner", CREDENTIALS, "learner"),
    ("recorder-sso", CODE, None),
):
    application = Application.objects.filter(client_id=client).first() or Application(client_id=client)
    application.name, application.client_secret = client, {SECRET!r}
    application.client_type = Application.CLIENT_CONFIDENTIAL
    application.authorization_grant_type = grant
    application.user = User.objects.get(username=of) if of else None
    application.redirect_uris = "http://client.bench.test/complete/" if grant == CODE else ""
    application.skip_authorization = True
    application.save()
for number, title in (("T1", "Real Course"), ("T2", "Second Course")):
    key = "course-v1:Acme+" + number + "+R1"
    about = {{"org": "Acme", "number": number, "run": "R1", "title": title, "description": "About " + title + "."}}
    if store.get(key) is None:
        created = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
        store.create({{"_id": key, **about, "author": "service", "created": created}})
    store.publish(key)
"""

# Between lms and forum: hands every call on, and says each in a line of JSON.
FORUM_CALLS = """
import http.client, http.server, json

class Between(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def hand_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        print(json.dumps({"method": self.command, "path": self.path, "body": body.decode()}), flush=True)
        forum = http.client.HTTPConnection("forum", 4567, timeout=20)
        forum.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k != "Connection"})
        answer = forum.getresponse()
        told = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type") or "text/plain")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PUT = do_DELETE = hand_on

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 4567), Between).serve_forever()
"""
