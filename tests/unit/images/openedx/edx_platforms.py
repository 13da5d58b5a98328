"""A package of the names and types that a release's edx-platform has, as far as the settings of a portal touch them.

Written for these tests: what a release calls a thing and of which type it is are facts, and all that is here.
"""

from dataclasses import dataclass
from pathlib import Path

STORE = """{'db': 'edxapp', 'host': 'localhost', 'replicaSet': '', 'password': 'password', 'port': 27017,
    'user': 'edxapp', 'collection': 'modulestore', 'ssl': False}"""

COMMON = """
from path import Path
FEATURES = {features}
DATABASES = {{'default': {{'ATOMIC_REQUESTS': True, 'CONN_MAX_AGE': 0, 'ENGINE': 'django.db.backends.mysql',
    'HOST': 'localhost', 'NAME': 'edxapp', 'OPTIONS': {{}}, 'PASSWORD': 'password', 'PORT': '3306', 'USER': 'x'}},
    'student_module_history': {{'HOST': 'localhost'}}}}
DATABASE_ROUTERS = ['openedx.core.lib.django_courseware_routers.StudentModuleHistoryExtendedRouter', 'another']
INSTALLED_APPS = ['student', '{history}', 'last']
MIDDLEWARE = ['first', 'last']
DOC_STORE_CONFIG = {store}
CONTENTSTORE = {{'ENGINE': 'xmodule.contentstore.mongo.MongoContentStore', 'OPTIONS': {{'db': 'edxapp',
    'host': 'localhost', 'password': 'password', 'port': 27017, 'user': 'edxapp', 'ssl': False}},
    'DOC_STORE_CONFIG': DOC_STORE_CONFIG}}
MODULESTORE = {{'default': {{'ENGINE': 'mixed', 'OPTIONS': {{'mappings': {{}}, 'stores': [
    {{'NAME': 'split', 'ENGINE': 's', 'DOC_STORE_CONFIG': DOC_STORE_CONFIG, 'OPTIONS': {{'fs_root': '/edx'}}}},
    {{'NAME': 'draft', 'ENGINE': 'd', 'DOC_STORE_CONFIG': DOC_STORE_CONFIG, 'OPTIONS': {{'fs_root': '/edx'}}}}]}}}}}}
CACHES = {{name: {{'KEY_FUNCTION': '{key}', 'LOCATION': ['localhost:11211'], 'KEY_PREFIX': prefix,
    'BACKEND': '{cache}', **more}} for name, prefix, more in (('default', 'default', {{'VERSION': '1'}}),
    ('celery', 'celery', {{'TIMEOUT': '7200'}}), ('course_structure_cache', 'course_structure', {{}}))}}
JWT_AUTH = {{'JWT_SECRET_KEY': 'dev key', 'JWT_EXPIRATION': 30, 'JWT_ISSUER': 'http://127.0.0.1:8000/oauth2'}}
DEFAULT_FROM_EMAIL = 'registration@example.com'
SERVER_EMAIL = 'devops@example.com'
CONTACT_EMAIL = 'info@example.com'
PRESS_EMAIL = 'press@example.com'
BULK_EMAIL_DEFAULT_FROM_EMAIL = 'no-reply@example.com'
EDX_API_KEY = 'PUT_YOUR_API_KEY_HERE'
SEARCH_SKIP_ENROLLMENT_START_DATE_FILTERING = False
STUDIO_NAME = 'Your Platform Studio'
STUDIO_SHORT_NAME = 'Studio'
MEDIA_ROOT = '/edx/var/edxapp/media/'
MEDIA_URL = '/media/'
STATIC_ROOT = Path('/edx/var/edxapp/staticfiles')
STATIC_URL = '/static/'
DATA_DIR = Path('/edx/var/edxapp/data')
GITHUB_REPO_ROOT = '/edx/var/edxapp/data'
WEBPACK_LOADER = {{'DEFAULT': {{'BUNDLE_DIR_NAME': 'bundles/', 'STATS_FILE': STATIC_ROOT / 'webpack-stats.json'}}}}
VIDEO_IMAGE_SETTINGS = {{'VIDEO_IMAGE_MAX_BYTES': 1, 'STORAGE_KWARGS': {{'location': MEDIA_ROOT}}}}
PROFILE_IMAGE_BACKEND = {{'class': 'openedx.core.storage.OverwriteStorage', 'options': {{'location': '/edx'}}}}
FINANCIAL_REPORTS = {{'STORAGE_TYPE': 'localfs', 'BUCKET': None, 'ROOT_PATH': 'sandbox'}}
CODE_JAIL = {{'python_bin': '/edx/python', 'user': 'sandbox', 'limits': {{}}}}
COURSES_WITH_UNSAFE_CODE = []
TRACKING_IGNORE_URL_PATTERNS = ['^/event', '^/login']
PLATFORM_NAME = 'Your Platform Name Here'
PLATFORM_DESCRIPTION = ''
LOGO_URL = None
LANGUAGE_CODE = 'en'
SESSION_COOKIE_AGE = 1209600
CELERY_TIMEZONE = 'UTC'
PAID_COURSE_REGISTRATION_CURRENCY = ['usd', '$']
REGISTRATION_EXTRA_FIELDS = {{'city': 'hidden'}}
SITE_NAME = 'localhost'
HTTPS = 'on'
CMS_BASE = LMS_BASE = 'localhost'
LMS_ROOT_URL = 'https://localhost'
ALTERNATE_WORKER_QUEUES = 'cms'
LOG_DIR = '/edx/var/log/edx'
LOGIN_REDIRECT_WHITELIST = []
IDA_LOGOUT_URI_LIST = []
MKTG_URLS = MKTG_URL_LINK_MAP = {{}}
ELASTIC_SEARCH_CONFIG = [{{'host': 'localhost', 'port': 9200}}]
"""

PRODUCTION = """
import os
import yaml
from {variant}.envs.common import *
with open(os.environ['{variable}'], encoding='utf-8') as f:
    {tokens} = yaml.safe_load(f)
vars().update({{name: value for name, value in {tokens}.items() if name != 'FEATURES'}})
FEATURES.update({tokens}.get('FEATURES', {{}}))
ALLOWED_HOSTS = ['*', {tokens}['LMS_BASE'], FEATURES['PREVIEW_LMS_BASE']]
STATIC_ROOT = Path('/edx/var/edxapp/staticfiles') / ('studio' if '{variant}' == 'cms' else '')
SESSION_ENGINE = 'django.contrib.sessions.backends.cache'
SESSION_COOKIE_SAMESITE = 'None'
DATA_DIR = Path({tokens}.get('DATA_DIR', DATA_DIR))
ELASTIC_SEARCH_CONFIG = {tokens}.get('{search}', [{{}}])
CELERY_BROKER_HOSTNAME = {tokens}.get('CELERY_BROKER_HOSTNAME', '')
CELERY_BROKER_TRANSPORT = {tokens}.get('CELERY_BROKER_TRANSPORT', '')
CELERY_BROKER_VHOST = {tokens}.get('CELERY_BROKER_VHOST', '')
CELERY_BROKER_USER = {tokens}.get('CELERY_BROKER_USER', '')
CELERY_BROKER_PASSWORD = {tokens}.get('CELERY_BROKER_PASSWORD', '')
COMMENTS_SERVICE_URL = {tokens}.get('COMMENTS_SERVICE_URL', '')
COMMENTS_SERVICE_KEY = {tokens}.get('COMMENTS_SERVICE_KEY', '')
LMS_INTERNAL_ROOT_URL = {tokens}.get('LMS_INTERNAL_ROOT_URL', LMS_ROOT_URL)
if FEATURES.get('ENABLE_COURSEWARE_INDEX') or FEATURES.get('ENABLE_LIBRARY_INDEX'):
    SEARCH_ENGINE = 'search.elastic.ElasticSearchEngine'
if '{variant}' == 'lms':
    HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS = {tokens}.get('HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS', {{}})
    HOSTNAME_MODULESTORE_DEFAULT_MAPPINGS[FEATURES['PREVIEW_LMS_BASE'].split(':')[0]] = 'draft-preferred'
LOGGING = {{
    'version': 1, 'disable_existing_loggers': False,
    'formatters': {{'standard': {{'format': '%(message)s'}}, 'raw': {{'format': '%(message)s'}}}},
    'filters': {{}},
    'handlers': {{
        'console': {{'level': 'INFO', 'class': 'logging.StreamHandler', 'formatter': 'standard', 'stream': 'x'}},
        'mail_admins': {{'level': 'ERROR', 'class': 'django.utils.log.AdminEmailHandler'}},
        'local': {{'level': 'INFO', 'class': 'logging.handlers.SysLogHandler', 'address': '/dev/log'}},
        'tracking': {{'level': 'DEBUG', 'class': 'logging.handlers.SysLogHandler', 'address': '/dev/log'}},
    }},
    'loggers': {{
        'tracking': {{'handlers': ['tracking'], 'level': 'DEBUG', 'propagate': False}},
        '': {{'handlers': ['console', 'local'], 'level': 'INFO', 'propagate': False}},
        'django.request': {{'handlers': ['mail_admins'], 'level': 'ERROR', 'propagate': True}},
        'requests.packages.urllib3': {{'level': 'WARN'}},
    }},
}}
"""

OTHERS = {
    "path.py": "class Path(str):\n    def __truediv__(self, other):\n        return Path(str(self).rstrip('/') + '/' + other)\n",
    "django/conf/__init__.py": "",
    "django/conf/global_settings.py": (
        "ALLOWED_HOSTS = []\nTIME_ZONE = 'America/Chicago'\nSECRET_KEY = ''\n"
        "DEFAULT_FROM_EMAIL = 'webmaster@localhost'\nSESSION_COOKIE_AGE = 1209600\n"
    ),
    "codejail/jail_code.py": "told = []\ndef configure(*words, **named):\n    told.append((words, named))\n",
    # Whether there is a jail is looked up once, when it is imported.
    "codejail/safe_exec.py": (
        "from codejail import jail_code\nALWAYS_BE_UNSAFE = False\nUNSAFE = ALWAYS_BE_UNSAFE or not jail_code.told\n"
    ),
    # As the library that makes the key: the primes come of the bytes it is given, and of nothing else.
    "Cryptodome/PublicKey/RSA.py": (
        "class Key:\n    pass\n"
        "def generate(bits, randfunc):\n    key = Key()\n"
        "    key.n, key.e, key.d = int.from_bytes(randfunc(40), 'big'), 65537, int.from_bytes(randfunc(3), 'big')\n"
        "    return key\n"
    ),
}

# Features as settings of their own, looked up through a mapping that was made for one module.
PROXY = """
class FeaturesProxy(dict):
    def __init__(self, space):
        super().__init__()
        self.space = space
    def __getitem__(self, name):
        return self.space[name]
"""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Where the releases differ."""

    history: str = "lms.djangoapps.coursewarehistoryextended"
    key: str = "common.djangoapps.util.memcache.safe_key"
    cache: str = "django.core.cache.backends.memcached.MemcachedCache"
    search: str = "ELASTIC_SEARCH_CONFIG"
    django: str = "(4, 2, 13)"
    # What the settings for production call the file that they read.
    tokens: str = "ENV_TOKENS"
    proxy: bool = False
    # Whether its library of programs in problems decides for good when it is imported.
    decides: bool = True


SHAPES = {
    "juniper": Shape(history="coursewarehistoryextended", key="util.memcache.safe_key", django="(2, 2, 12)"),
    "redwood": Shape(
        cache="django.core.cache.backends.memcached.PyMemcacheCache", search="ELASTIC_SEARCH_CONFIG_ES7"
    ),
    "verawood": Shape(
        cache="django.core.cache.backends.memcached.PyMemcacheCache",
        django="(5, 2, 1)",
        tokens="_YAML_TOKENS",
        proxy=True,
        decides=False,
    ),
}


def write(root: Path, shape: Shape, common: str = "") -> None:
    """Lay the package of one release below `root`; `common` is added to its defaults."""
    files = {**OTHERS, "django/__init__.py": f"VERSION = {shape.django}\n"}
    for variant in ("lms", "cms"):
        files[f"{variant}/envs/common.py"] = (
            COMMON.format(
                history=shape.history, key=shape.key, cache=shape.cache, store=STORE, features="{'X': False}"
            )
            + common
        )
        files[f"{variant}/envs/production.py"] = PRODUCTION.format(
            variant=variant, variable=f"{variant.upper()}_CFG", search=shape.search, tokens=shape.tokens
        )
    if not shape.decides:
        files["codejail/safe_exec.py"] = "ALWAYS_BE_UNSAFE = False\n"
    if shape.proxy:
        files["openedx/core/lib/features_setting_proxy.py"] = PROXY
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
