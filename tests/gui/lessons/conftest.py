"""The workbench of the session's tests, for views."""

from tests.session.conftest import failures as failures
from tests.session.conftest import inline_jobs as inline_jobs
from tests.session.conftest import main as main
from tests.session.lessons.conftest import clock as clock
from tests.session.lessons.conftest import model as model
from tests.session.lessons.conftest import settle as settle
from tests.session.lessons.conftest import workbench as workbench
