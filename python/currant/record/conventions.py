"""What a documentation comment says, section by section, in whichever convention it is written.

Owns: telling the conventions apart and reading them: the template's sections (``[Function intent]``), Google,
NumPy, Sphinx, JSDoc, TSDoc, Javadoc, Doxygen, phpDoc, YARD, rustdoc, kernel-doc, Swift's lists, Go. Does not
own: finding the comment (the outline stores its text) and the published shape (`record.export`).

A pure function of the text: nothing of it is stored, so a better reading needs no new extraction. Any text is
taken, in time that is linear in its length but for the lengths of single lines.
"""

import re
import textwrap
from typing import Final, NamedTuple

import msgspec

from currant.record import template


class Described(msgspec.Struct, frozen=True):
    """What a documentation says of one parameter or one error."""

    name: str
    type: str | None = None
    text: str | None = None


class DocSections(msgspec.Struct, frozen=True):
    """The sections of one documentation.

    `intent` is the section of the template of that name, else the first paragraph; `description` what follows
    it. `convention` is None without documentation. `other` has every section that no field is for.
    """

    convention: str | None = None
    intent: str | None = None
    description: str | None = None
    design_principles: list[str] = []
    implementation_details: str | None = None
    design_decisions: str | None = None
    parameters: list[Described] = []
    returns: str | None = None
    raises: list[Described] = []
    deprecated: str | None = None
    other: dict[str, str] = {}


# Titles of sections -> where they go; any other title goes into `other`.
_TITLES: Final[dict[str, str]] = {
    title: target
    for target, titles in {
        "params": "args|arguments|parameters|params|other parameters|keyword args|keyword arguments"
        "|keyword parameters",
        "attributes": "attributes|fields|methods|members",
        "returns": "returns|return|yields|yield|return value|return values",
        "raises": "raises|raise|throws|exceptions|except",
        "details": "notes|note|implementation details|implementation notes|implementation",
        "decisions": "design decisions|design decision|rationale",
        "deprecated": "deprecated",
        "other": "example|examples|see also|references|warning|warnings|warns|todo|receives|context|safety"
        "|panics|errors|complexity|locking|important|tip|hint|caution|attention|usage|preconditions"
        "|postconditions|precondition|postcondition|invariants|side effects|requires|ensures",
    }.items()
    for title in titles.split("|")
}
# Of tags (`@tag`, `:tag:`).
_TAGS: Final[dict[str, str]] = {
    tag: target
    for target, tags in {
        "param": "param|parameter|arg|argument|key|keyword|kwarg|prop|property|tparam|typeparam|option"
        "|yieldparam",
        "returns": "return|returns|retval|result|yields|yield|yieldreturn",
        "raises": "throws|throw|exception|raise|raises|except",
        "details": "note|implnote|implspec|remarks|remark|internal",
        "deprecated": "deprecated",
        "intent": "brief|summary|description|desc|short|details|overload|function|method|class",
    }.items()
    for tag in tags.split("|")
}

_TAG: Final = re.compile(r"[ \t]*[@\\]([A-Za-z][\w-]*)(\[[\w, ]+\])?(?![\w.@(:])[ \t]*(.*)")
_KERNEL: Final = re.compile(r"[ \t]*@([\w.>-]+|\.\.\.)[ \t]*:[ \t]*(.*)")
_KERNEL_NAME: Final = re.compile(
    r"(?:(?:struct|union|enum|typedef|function)[ \t]+)?[\w.]+(?:\(\))?[ \t]+[-:][ \t]+(.*)"
)
_SPHINX: Final = re.compile(r"[ \t]*:([a-z]+)(?:[ \t]+([^:\n]{1,200}))?:(?:[ \t]+(.*)|[ \t]*)")
_COLON: Final = re.compile(r"([ \t]*)(?:\*\*)?([A-Z][A-Za-z]+(?:[ ][A-Za-z]+){0,2}):(?:\*\*)?[ \t]*(.*)")
_RULE: Final = re.compile(r"[ \t]*[-=~]{3,}[ \t]*")
_HEADING: Final = re.compile(r"#{1,4}[ \t]+(.{1,80}?)[ \t#]*")
_SWIFT: Final = re.compile(
    r"([ \t]*)[-*+][ \t]+(Parameters?|Returns|Throws|Note|Important|Warning|Complexity)\b([^:]*):[ \t]*(.*)"
)
_LIST_ITEM: Final = re.compile(r"[-*+][ \t]+(.*)")

_JS: Final = re.compile(
    r"(?:\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}[ \t]*)?(\[[^\]]*\]|[^\s]+)?[ \t]*(?:-+[ \t]+)?(.*)"
)
_PHP: Final = re.compile(r"(?:([^\s$]+(?:<[^>]*>)?)[ \t]+)?(&?(?:\.\.\.)?\$\w+)[ \t]*(.*)")
_YARD: Final = re.compile(r"(?:\[([^\]]*)\][ \t]*)?([\w*&:]+)?[ \t]*(?:\[([^\]]*)\][ \t]*)?(.*)")
_GOOGLE_ITEM: Final = re.compile(
    r"(\*{0,2}[\w.$-]+(?:, ?\*{0,2}[\w.$-]+)*)[ \t]*(?:\(([^)]*)\))?[ \t]*:(?:[ \t]+(.*)|$)"
)
_NUMPY_ITEM: Final = re.compile(
    r"(\*{0,2}[\w.\\*]+(?:, ?\*{0,2}[\w.\\*]+)*(?:, ?\.\.\.)?)(?:[ \t]*:[ \t]*(.*))?"
)
_MARKED_ITEM: Final = re.compile(r"`?([\w.*]+)`?[ \t]*(?:[-:\u2013\u2014]+[ \t]*(.*))?")


class _Part(NamedTuple):
    """One piece of a documentation: where it goes, its name and type when it is an item, its lines."""

    target: str
    name: str
    kind: str | None
    lines: list[str]


def read(doc: str, language: str | None = None) -> DocSections:
    """The sections of the documentation `doc` of a definition in `language`."""
    if not doc.strip():
        return DocSections()
    convention, body, parts = _Scanner(doc, language).scan()
    values = _fill(parts)
    told = template.sections("\n".join(body), template.DEFINITION_TITLES)
    if told is None:
        first, rest = _first(body)
        if convention == "kernel-doc" and first is not None:
            named = _KERNEL_NAME.fullmatch(first)
            first = named[1] if named else first
        return msgspec.structs.replace(
            values, convention=convention, intent=first or values.intent, description=rest
        )
    before, sections = told
    principles: list[str] = []
    texts: dict[str, str] = {}
    other = dict(values.other)
    for title, lines in sections:
        field = template.DEFINITION_TITLES.get(title.lower())
        text = template.paragraphs(lines)
        if field == "design_principles":
            principles += template.items(lines)
        elif text and field in ("intent", "implementation_details", "design_decisions"):
            texts[field] = f"{texts[field]}\n\n{text}" if field in texts else text
        elif text:
            other.setdefault(title, text)
    first, rest = _first(before.split("\n"))
    intent = texts.get("intent") or first
    return msgspec.structs.replace(
        values,
        convention="template",
        intent=intent,
        description=(before if "intent" in texts else rest) or None,
        design_principles=principles,
        implementation_details=texts.get("implementation_details") or values.implementation_details,
        design_decisions=texts.get("design_decisions") or values.design_decisions,
        other=other,
    )


class _Scanner:
    """One pass over the lines: each goes to the body or to the part that is open."""

    def __init__(self, doc: str, language: str | None) -> None:
        self._lines = doc.split("\n")
        self._language = language
        self._convention: str | None = None
        self._body: list[str] = []
        self._parts: list[_Part] = []
        self._open: _Part | None = None
        # The section whose items are being read: its target, its convention, the indentation of its title.
        self._section: tuple[str, str, int] | None = None
        self._indent = -1  # of the items of that section

    def scan(self) -> tuple[str, list[str], list[_Part]]:
        """The convention, the lines that belong to no section, and the parts."""
        fence = False
        skip = False
        for number, line in enumerate(self._lines):
            if skip:
                skip = False
                continue
            text = line.strip()
            if text.startswith(("```", "~~~")):
                fence = not fence
            elif not fence:
                below = self._lines[number + 1] if number + 1 < len(self._lines) else ""
                if text and _RULE.fullmatch(below) and text.lower() in _TITLES:
                    self._begin(text, "numpy", _indent(line))
                    skip = True
                    continue
                if self._tag(line, text) or self._title(line, text):
                    continue
            self._take(line, text)
        return self._convention or self._usual(), self._body, self._parts

    def _usual(self) -> str:
        return {"go": "go", "rust": "rustdoc"}.get(self._language or "", "plain")

    def _told(self, convention: str) -> None:
        self._convention = self._convention or convention

    def _begin(self, title: str, convention: str, indent: int) -> None:
        """A section with a title of its own."""
        target = _TITLES.get(title.lower(), "other")
        self._told(convention)
        self._section = (target, convention, indent)
        self._indent = -1
        self._part("other" if target == "attributes" else target, title, None, "")

    def _part(self, target: str, name: str, kind: str | None, text: str) -> None:
        self._open = _Part(target, name, kind, [text] if text else [])
        self._parts.append(self._open)

    def _tag(self, line: str, text: str) -> bool:
        """A field that begins with a mark: ``@param``, ``:param``, ``@name:``, ``- Parameter``."""
        if text[:1] in ("@", "\\"):
            kernel = _KERNEL.fullmatch(line) if self._language in ("c", "cpp", None) else None
            if kernel is not None and kernel[1].lower() not in _TAGS:
                self._told("kernel-doc")
                self._section = ("params", "kernel-doc", 0)
                self._part("param", kernel[1], None, kernel[2])
                return True
            found = _TAG.fullmatch(line)
            if found is None:
                return False
            self._told(self._family())
            self._section = None
            self._marked(found[1], found[3])
            return True
        if text[:1] == ":":
            found = _SPHINX.fullmatch(line)
            if found is None:
                return False
            self._told("sphinx")
            self._section = ("", "sphinx", _indent(line))
            self._sphinx(found[1], (found[2] or "").strip(), found[3] or "")
            return True
        if text[:1] in ("-", "*", "+") and self._language in ("swift", None):
            found = _SWIFT.fullmatch(line)
            if found is None:
                return False
            self._told("swift")
            word, name = found[2], found[3].strip()
            if word == "Parameters":
                self._section = ("params", "swift", len(found[1]))
                self._indent = -1
                self._part("params", "Parameters", None, "")
            else:
                self._section = None
                target = "param" if word == "Parameter" else _TITLES.get(word.lower(), "other")
                self._part(target, name or word, None, found[4])
            return True
        return False

    def _family(self) -> str:
        """What a comment with tags is called in this language."""
        return {
            **{"javascript": "jsdoc", "typescript": "tsdoc", "tsx": "tsdoc", "java": "javadoc"},
            **{"kotlin": "kdoc", "php": "phpdoc", "ruby": "yard", "c": "doxygen", "cpp": "doxygen"},
            **{"python": "epydoc", "scala": "scaladoc", "objective-c": "doxygen"},
        }.get(self._language or "", "javadoc")

    def _marked(self, tag: str, rest: str) -> None:
        """``@tag rest``."""
        target = _TAGS.get(tag.lower(), "other")
        if target == "param":
            self._part("param", *_parameter(rest, self._language))
        elif target == "returns":
            kind, text = _braced(rest)
            self._part("returns", "", kind, text)
        elif target == "raises":
            kind, text = _braced(rest)
            name, _, more = (text if kind is None else f"{kind} {text}").partition(" ")
            self._part("raises", name, None, more.strip())
        elif target == "intent":
            self._open = None
            self._body += ["", rest] if rest else []
        else:
            self._part(target, tag, None, rest)

    def _sphinx(self, tag: str, name: str, rest: str) -> None:
        target = _TAGS.get(tag, "")
        if target == "param":
            kind, _, last = name.rpartition(" ")
            self._part("param", last.replace("\\", ""), kind.strip() or None, rest)
        elif tag in ("type", "rtype"):
            self._part(tag, name, rest.strip() or None, "")
        elif target == "raises":
            self._part("raises", name, None, rest)
        elif target in ("returns", "deprecated"):
            self._part(target, name, None, rest)
        else:
            self._part("other", f"{tag} {name}".strip(), None, rest)

    def _title(self, line: str, text: str) -> bool:
        """A line that is a title: ``Args:``, ``Return: x``, ``# Errors``, ``[Design principles]``."""
        if text[:1] == "[" and text.rstrip(":")[-1:] == "]":
            if text.rstrip(":")[1:-1].strip().lower() in template.DEFINITION_TITLES:
                self._open = self._section = None
                self._body.append(line)
                return True
            return False
        if text[:1] == "#" and self._language != "python":
            found = _HEADING.fullmatch(text)
            if found is not None:
                self._begin(found[1], "rustdoc" if self._language == "rust" else "markdown", 0)
                if self._language == "go":
                    self._convention = "go"
                return True
            return False
        found = _COLON.fullmatch(line)
        if found is None or found[2].lower() not in _TITLES:
            return False
        target, rest, indent = _TITLES[found[2].lower()], found[3], len(found[1])
        if self._section is not None and indent > self._section[2] and self._section[1] != "kernel-doc":
            return False
        if rest and target in ("params", "attributes"):
            return False
        if rest and target in ("details", "decisions", "other") and not any(map(str.strip, self._body)):
            return False  # a documentation that begins with `Note: ...` is that note
        if self._language in ("c", "cpp") and self._convention in (None, "kernel-doc"):
            convention = "kernel-doc"
        else:
            convention = "go" if self._language == "go" else "google"
        self._begin(found[2], convention, indent)
        if rest and self._open is not None:
            self._open.lines.append(rest)
            self._section = (target, "inline" if convention == "google" else convention, indent)
        return True

    def _take(self, line: str, text: str) -> None:
        """A line that begins nothing by itself."""
        if self._section is not None and text:
            target, convention, indent = self._section
            here = _indent(line)
            # Of a kernel, and where the text begins behind its title, it goes on to a blank line; elsewhere
            # it ends where the indentation does.
            ended = here <= indent
            if convention in ("kernel-doc", "inline"):
                blank = self._open is not None and self._open.lines[-1:] == [""]
                ended = blank and (ended or convention == "kernel-doc")
            if convention in ("google", "sphinx", "swift", "kernel-doc", "inline") and ended:
                self._section = self._open = None
                self._body.append("")
            elif target in ("params", "raises") and (self._indent < 0 or here <= self._indent):
                item = self._item(convention, text)
                if item is not None:
                    self._indent = here
                    self._part("param" if target == "params" else "raises", *item)
                    return
        if self._open is None:
            self._body.append(line)
        else:
            self._open.lines.append(line.rstrip())

    def _item(self, convention: str, text: str) -> tuple[str, str | None, str] | None:
        """Name, type and text of an item in a section of parameters or errors."""
        if convention == "numpy":
            found = _NUMPY_ITEM.fullmatch(text)
            return (found[1].replace("\\", ""), (found[2] or "").strip() or None, "") if found else None
        if convention in ("rustdoc", "markdown", "swift"):
            marked = _LIST_ITEM.fullmatch(text)
            found = _MARKED_ITEM.fullmatch(marked[1]) if marked else None
            return (found[1], None, found[2] or "") if found else None
        bullet = _LIST_ITEM.fullmatch(text)
        found = _GOOGLE_ITEM.fullmatch(bullet[1] if bullet else text)
        return (found[1], (found[2] or "").strip() or None, found[3] or "") if found else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _braced(rest: str) -> tuple[str | None, str]:
    """``{type} text``, ``[Type] text``."""
    for opener, closer in (("{", "}"), ("[", "]")):
        if rest.startswith(opener) and closer in rest:
            kind, _, text = rest[1:].partition(closer)
            return kind.strip() or None, text.strip().removeprefix("- ")
    return None, rest.removeprefix("- ")


def _parameter(rest: str, language: str | None) -> tuple[str, str | None, str]:
    """Name, type and text behind ``@param``."""
    if language == "php" or (language is None and "$" in rest):
        found = _PHP.fullmatch(rest)
        if found is not None:
            return found[2], found[1], found[3]
    if language == "ruby":
        found = _YARD.fullmatch(rest)
        if found is not None:
            return found[2] or "", (found[1] or found[3] or "").strip() or None, found[4]
    found = _JS.fullmatch(rest)
    if found is None:
        return rest, None, ""
    name = (found[2] or "").strip("[]").split("=", 1)[0].strip().rstrip(":")
    return name, (found[1] or "").strip() or None, found[3].removeprefix("- ")


def _first(lines: list[str]) -> tuple[str | None, str | None]:
    """The first paragraph in one line, and the rest as it is."""
    text = "\n".join(lines).strip()
    first, _, rest = re.sub(r"\n[ \t]+\n", "\n\n", text).partition("\n\n")
    return template.cut(" ".join(first.split())) or None, template.cut(rest.strip()) or None


def _as_written(lines: list[str]) -> str | None:
    """Text in which line breaks mean something, such as an example: only the common indentation goes."""
    text = textwrap.dedent("\n".join(lines[1:])) if len(lines) > 1 else ""
    first = lines[0] if lines else ""
    # What stands behind a tag is not indented, what stands below a title is.
    whole = f"{first}\n{text}" if first == first.lstrip() else textwrap.dedent("\n".join(lines))
    return template.cut(whole.strip("\n").rstrip()) or None


def _fill(parts: list[_Part]) -> DocSections:
    """The parts as fields; a parameter that is told of twice keeps its place."""
    parameters: dict[str, Described] = {}
    raises: list[Described] = []
    texts: dict[str, str] = {}
    other: dict[str, str] = {}
    result: str | None = None
    for target, name, kind, lines in parts:
        text = _as_written(lines) if target in ("other", "params") else template.paragraphs(lines)
        if target == "param" and name:
            old = parameters.get(name)
            if old is not None:
                kind, text = kind or old.type, text or old.text
            parameters[name] = Described(name, kind, text)
        elif target == "type" and name:
            old = parameters.get(name, Described(name))
            parameters[name] = Described(name, old.type or kind, old.text)
        elif target == "rtype":
            result = kind
        elif target == "raises" and name and name.lower() not in _TITLES:
            raises.append(Described(name, None, text))
        elif target in ("returns", "details", "decisions", "deprecated", "raises"):
            whole = f"{kind}: {text}" if kind and text else kind or text
            if whole:
                texts[target] = f"{texts[target]}\n{whole}" if target in texts else whole
            elif target == "deprecated":
                texts.setdefault(target, "")
        elif target in ("other", "params") and text:
            other[name] = f"{other[name]}\n{text}" if name in other else text
    if result:
        texts["returns"] = f"{result}: {texts['returns']}" if texts.get("returns") else result
    if texts.get("raises"):
        other.setdefault("Raises", texts["raises"])
    return DocSections(
        parameters=list(parameters.values())[: template.MAX_ITEMS],
        returns=texts.get("returns"),
        raises=raises[: template.MAX_ITEMS],
        implementation_details=texts.get("details"),
        design_decisions=texts.get("decisions"),
        deprecated=texts.get("deprecated"),
        other=other,
    )
