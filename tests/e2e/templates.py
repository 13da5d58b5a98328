"""Texts that Ansible, Jinja or a YAML reader obeys where it may: each would leave a file behind, or a number."""

MARK = "owned-by-a-text"
_RUN = f"lookup('pipe', 'touch /tmp/{MARK}')"
_MARKERS = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("[%", "%]"), ("<<", ">>"), ("${", "}"), ("((", "))"))
# https://docs.ansible.com/ansible/latest/collections/ansible/builtin/template_module.html: the first line of a text.
_HEADERS = (
    *(
        f"#jinja2:variable_start_string:'{start}', variable_end_string:'{end}'\n{start} {_RUN} {end}"
        for start, end in (("[%", "%]"), ("<<", ">>"), ("$(", ")"), ("a", "b"))
    ),
    f"#jinja2: line_statement_prefix:'%'\n% set x = {_RUN}\n",
    f"#jinja2: trim_blocks:False\n{{{{ {_RUN} }}}}",
    f"#jinja2:block_start_string:'(', block_end_string:')'\n( if {_RUN} ) ( endif )",
)
EVALUATED = (
    *_HEADERS,
    *(f"{start} {_RUN} {end}" for start, end in _MARKERS),
    f"{{% set x = {_RUN} %}}",
    f"{{% if {_RUN} %}}x{{% endif %}}",
    f"{{%- raw -%}}{{{{ {_RUN} }}}}{{%- endraw -%}}",
    f"{{{{ query('pipe', 'touch /tmp/{MARK}') }}}}",
    "{{ lookup('file', '/run/secrets/mysql-edxapp-password') }}",
    f"{{{{ lookup('template', '/tmp/{MARK}') }}}}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    f"{{{{ cycler.__init__.__globals__.os.system('touch /tmp/{MARK}') }}}}",
    "{{ self.__init__.__globals__ }}",
    "{{ hostvars }}{{ vars }}{{ omit }}{{ undefined }}",
    "{{ EDXAPP_CONTACT_EMAIL }}{{ output }}",
    "{{ 7 * 7 }}",
    f"{{{{ '{{{{' }}}} {_RUN} }}}}",
    "{{", "}}", "{%", "{#", "{{ unclosed", "{% endraw %}", "#}",
    "!unsafe x", "!unsafe \"off\"", "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162",
    "$ANSIBLE_VAULT;1.1;AES256\n33633966", "!!python/object/apply:os.system [touch /tmp/x]",
    f"=touch /tmp/{MARK}", f"$(touch /tmp/{MARK})", f"`touch /tmp/{MARK}`", f"; touch /tmp/{MARK} #",
    "@/etc/passwd", "__ansible_unsafe", "__ansible_vault", "_ansible_no_log", "ansible_connection", "&a *a", "<<: {a: b}",
    "%YAML 1.1\n---\na", "---\na\n...", "# x", "a: b", "- a", "? a", "| a", "> a", "null", "~", "yes", "no", "0o17", "1:30",
)  # fmt: skip
