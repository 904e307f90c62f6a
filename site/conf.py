"""Sphinx's configuration of the site; site/build.py runs it."""

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
# A page may come from another folder than docs/, so a button to edit it would be wrong for some.
html_theme_options = {"top_of_page_buttons": []}
html_show_sphinx = False
html_copy_source = False
