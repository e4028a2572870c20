# The map as a service; without a study it serves the sample. The studies are folders of yours:
#   docker build -t redmap . && docker run -p 8000:8000 -v "$PWD/my-district:/studies/my-district:ro" redmap /studies/my-district
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY geo geo
COPY api api
COPY data/sample data/sample
RUN python -m venv /opt/redmap && /opt/redmap/bin/pip install --no-cache-dir '.[service]'

FROM python:3.12-slim
RUN useradd --system --create-home --uid 10001 redmap && mkdir /cache && chown redmap /cache
COPY --from=build /opt/redmap /opt/redmap
ENV PATH=/opt/redmap/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/cache/numba
USER redmap
# compiles the kernels once, in the image, so that a container is ready in seconds
RUN python -c 'from geo import pipeline as p; study = p.sample_study(); p.Session(study, p.run(study)).warm()'
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
ENTRYPOINT ["redmap", "serve", "--host", "0.0.0.0", "--cache", "/cache/networks"]
