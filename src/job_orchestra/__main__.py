from job_orchestra.cli.main import main

main()
