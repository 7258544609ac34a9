"""Later."""

from asv.publishing import OutputPublisher


class Pages(OutputPublisher):
    name = "pages"
    button_label = description = "Pages"
    order = 5
