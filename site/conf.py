"""Sphinx's configuration of the site; site/build.py runs it."""

import os

project = html_title = "Customer API"
copyright = "its contributors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
master_doc = "index"
# GitHub makes the same anchors, so a link works in both places.
myst_heading_anchors = 4
# Languages of code blocks that Pygments does not know are shown without colours.
suppress_warnings = ["misc.highlighting_failure"]
html_theme = "furo"
html_theme_options = {"source_repository": os.environ["REPOSITORY_URL"], "source_branch": "main", "source_directory": "docs/"}
html_baseurl = os.environ.get("SITE_URL", "")
html_show_sphinx = False
html_copy_source = False
