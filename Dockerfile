FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-deps --no-build-isolation --editable . && python -m compileall -q .


FROM python:3.13-slim

RUN useradd --system --uid 10001 --create-home insights \
    && install -d -o insights -g insights /var/lib/insights
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 INSIGHTS_HOME=/var/lib/insights
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER insights
EXPOSE 8000
# Only the web process has a port that can be checked; docker-compose.yml does so.
HEALTHCHECK NONE
ENTRYPOINT ["insights"]
CMD ["--help"]
