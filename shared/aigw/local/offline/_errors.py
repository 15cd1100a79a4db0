"""The one way the offline model says no; apart so that every module may raise it."""


class InvalidRequest(ValueError):  # noqa: N818 - the name says what is wrong, as HTTP's "bad request" does
    """A request body that no model could answer, in one sentence.

    Attributes:
        param: The body's field that is wrong, such as `messages` or `tools[0].function.name`.
    """

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message, param)
        self.param = param

    def __str__(self) -> str:
        return str(self.args[0])
